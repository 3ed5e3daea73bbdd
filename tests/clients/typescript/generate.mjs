// Makes the types of openapi-fetch; binary bodies are Blobs, as openapi-typescript's documentation shows.
import { writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const BLOB = ts.factory.createTypeReferenceNode(ts.factory.createIdentifier("Blob"));
const types = await openapiTS(new URL("./openapi.json", import.meta.url), {
  transform: (schema) => (schema.format === "binary" ? BLOB : undefined),
});
writeFileSync("openapi-fetch-types.d.ts", astToString(types));
