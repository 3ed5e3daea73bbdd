// What is checked of a file before it is sent: its size, and its format, which is read from its first bytes.
import { bytes } from "../components/format.js";
import { MAX_UPLOAD_BYTES } from "../server.js";

const HEAD_BYTES = 16;
const BRANDS = ["avif", "avis", "heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"];

// Each format by the hex digits that its files begin with.
const SIGNATURES = [
  /^ffd8ff/, // JPEG
  /^89504e470d0a1a0a/, // PNG
  /^47494638/, // GIF
  /^52494646.{8}57454250/, // WebP
  /^(49492a00|4d4d002a|49492b00|4d4d002b)/, // TIFF
  /^424d/, // BMP
  /^(ff0a|0000000c4a584c20)/, // JPEG XL
];

// Returns why the server would refuse a file, or "".
export async function faultOf(file) {
  if (file.size === 0) return "The file is empty.";
  if (file.size > MAX_UPLOAD_BYTES) return `The file has ${bytes(file.size)}; the limit is ${bytes(MAX_UPLOAD_BYTES)}.`;
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  return isImage(head) ? "" : "This is no image of a format that Darkroom reads.";
}

function isImage(head) {
  const hex = [...head].map((one) => one.toString(16).padStart(2, "0")).join("");
  if (SIGNATURES.some((signature) => signature.test(hex))) return true;
  const text = String.fromCharCode(...head);
  return text.slice(4, 8) === "ftyp" && BRANDS.includes(text.slice(8, 12));
}
