// What a test gives to a program: a running site, an API key and a photograph.
import { readFileSync } from "node:fs";

export interface Situation {
  url: string;
  key: string;
  photo: string;
  photoUrl: string;
  hookUrl: string;
}

export const situation: Situation = JSON.parse(process.argv[2] ?? "{}");
export const photo = new File([readFileSync(situation.photo)], "rocket.jpg", { type: "image/jpeg" });
export const csv = new File(
  [`S. No.,Product Name,Input Image Urls\n1,Rocket,${situation.photoUrl}\n`],
  "products.csv",
  { type: "text/csv" },
);
export const steps = JSON.stringify([
  { op: "resize", width: 120 },
  { op: "convert", format: "webp" },
]);

export async function until<T>(read: () => Promise<T>, done: (found: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await read();
    if (done(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it did not happen in a minute");
}
