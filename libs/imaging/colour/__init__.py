"""Colours that a file describes without an ICC profile: code points (CICP), chromaticities and gamma.

`spaces` says what a colour space is, `conversion` turns its pixels into sRGB, `tone_mapping` fits high
dynamic range into sRGB, and `signalling` and `profile_writer` write what the colours of a result are.
"""
