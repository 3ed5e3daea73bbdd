// Draws a BlurHash (https://github.com/woltapp/blurhash/blob/master/Algorithm.md) on a small canvas.
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
const LINEAR = Float32Array.from({ length: 256 }, (_, value) => toLinear(value / 255));

export function drawBlurHash(hash, canvas) {
  const { width, height } = canvas;
  const across = (decode(hash, 0, 1) % 9) + 1;
  const down = Math.floor(decode(hash, 0, 1) / 9) + 1;
  const colours = components(hash, across * down);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4) {
      let [red, green, blue] = [0, 0, 0];
      for (let j = 0, k = 0; j < down; j += 1) {
        const vertical = Math.cos((Math.PI * y * j) / height);
        for (let i = 0; i < across; i += 1, k += 1) {
          const weight = Math.cos((Math.PI * x * i) / width) * vertical;
          red += colours[k][0] * weight;
          green += colours[k][1] * weight;
          blue += colours[k][2] * weight;
        }
      }
      pixels.data.set([toByte(red), toByte(green), toByte(blue), 255], at);
    }
  }
  context.putImageData(pixels, 0, 0);
}

function components(hash, count) {
  const most = (decode(hash, 1, 2) + 1) / 166;
  const average = decode(hash, 2, 6);
  const found = [[LINEAR[average >> 16], LINEAR[(average >> 8) & 255], LINEAR[average & 255]]];
  for (let k = 1; k < count; k += 1) {
    const value = decode(hash, 4 + 2 * k, 6 + 2 * k);
    found.push([Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((one) => signedSquare((one - 9) / 9) * most));
  }
  return found;
}

function decode(hash, from, to) {
  return [...hash.slice(from, to)].reduce((value, digit) => 83 * value + DIGITS.indexOf(digit), 0);
}

function signedSquare(value) {
  return Math.sign(value) * value * value;
}

function toLinear(value) {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function toByte(linear) {
  const value = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}
