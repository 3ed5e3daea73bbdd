// Run one case with sharp, and print CPU time, peak memory and bytes as JSON.
//
// `node sharp_case.mjs NODE_MODULES CASE` where CASE is JSON: {source, target, mark, steps, repeats}; each step is
// [name, ...arguments]. One thread, no cache, and the encoders' effort that Darkroom has.

import { readFileSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const [modules, json] = process.argv.slice(2);
const sharp = createRequire(`${modules}/`)("sharp");
const { source, target, mark, steps, repeats } = JSON.parse(json);
sharp.concurrency(1);
sharp.cache(false);

const WHITE = { r: 255, g: 255, b: 255 };
const SEPIA = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];
const OPERATIONS = {
  resize: (image, width, height, fit) => image.resize({ width, height, fit, withoutEnlargement: true }),
  grayscale: (image) => image.grayscale(),
  sepia: (image) => image.recomb(SEPIA),
  watermark: (image) => image.composite([{ input: mark, gravity: "southeast" }]).flatten({ background: WHITE }),
  flip: (image) => image.flip(),
  rotate: (image, angle) => image.rotate(angle, { background: WHITE }),
  blur: (image, sigma) => image.blur(sigma),
  jpeg: (image, quality) => image.jpeg({ quality }),
  webp: (image, quality) => image.webp({ quality, effort: 2 }),
  avif: (image, quality) => image.avif({ quality, effort: 1 }),
  png: (image) => image.png({ compressionLevel: 3 }),
  gif: (image) => image.gif(),
};

async function describe() {
  for (const algorithm of ["md5", "sha256"]) createHash(algorithm).update(readFileSync(source)).digest();
  const { data, info } = await sharp(source).toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const pixels = () => sharp(data, { raw: info });
  await pixels().grayscale().resize(32, 32, { fit: "fill" }).raw().toBuffer();
  await pixels().resize(32, 32, { fit: "fill" }).raw().toBuffer();
  await pixels().stats();
}

async function run() {
  if (steps[0][0] === "describe") return describe();
  let image = sharp(source, { animated: source.endsWith(".gif"), limitInputPixels: false });
  for (const [name, ...options] of steps) image = OPERATIONS[name](image, ...options);
  await image.toFile(target);
}

const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;

await run();
const result = { times_ms: [], peak_mib: peak(), bytes: statSync(target, { throwIfNoEntry: false })?.size ?? 0 };
for (let number = 0; number < repeats; number++) {
  const start = cpu();
  await run();
  result.times_ms.push(cpu() - start);
}
console.log(JSON.stringify(result));
