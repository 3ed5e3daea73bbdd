// What a person does in the console as text for other places: each can be pasted and run as it is.
// The key comes from the variable API_KEY: an API key, or an access token.

// `work`: { origin, image, operations }; without operations they are about the image as it is.
export const SNIPPETS = [
  ["curl", curl],
  ["JSON", json],
  ["Command line", commandLine],
  ["Python", python],
];

export function json({ image, operations }) {
  return operations.length ? pretty(operations) : JSON.stringify(image, null, 2);
}

export function curl({ origin, image, operations }) {
  const at = `${origin}/api/images/${image.id}`;
  if (!operations.length) return `curl -sS -OJ ${quoted(`${at}/download?version=original`)} \\\n  -H "Authorization: Bearer $API_KEY"`;
  return [
    `curl -sS ${quoted(`${at}/transform`)} \\`,
    '  -H "Authorization: Bearer $API_KEY" \\',
    "  -H 'Content-Type: application/json' -H 'Prefer: wait=60' \\",
    `  -d ${quoted(JSON.stringify({ operations }))} &&`,
    `curl -sS -OJ ${quoted(`${at}/download`)} -H "Authorization: Bearer $API_KEY"`,
  ].join("\n");
}

// Over the same file on this computer; without a server.
export function commandLine({ image, operations }) {
  if (!operations.length) return `darkroom describe ${quoted(image.filename)} --json`;
  return `darkroom process ${quoted(image.filename)} --out results --ops /dev/stdin <<'END'\n${pretty(operations)}\nEND`;
}

export function python({ origin, image, operations }) {
  const at = `${origin}/api/images/${image.id}`;
  const head = ["import json", "import os", "import urllib.request", "", `IMAGE = ${JSON.stringify(at)}`,
    'HEADERS = {"Authorization": "Bearer " + os.environ["API_KEY"]}'];
  if (!operations.length) return [...head, "", request("IMAGE", "", "image = json.load(answer)"), "print(image)", ""].join("\n");
  return [
    ...head,
    `OPERATIONS = json.loads(${JSON.stringify(JSON.stringify(operations))})`,
    "",
    'body = json.dumps({"operations": OPERATIONS}).encode()',
    'sent = HEADERS | {"Content-Type": "application/json", "Prefer": "wait=60"}',
    request('IMAGE + "/transform"', "body, sent", "job = json.load(answer)"),
    request('job["download_url"]', "", "result = answer.read()"),
    `with open(${JSON.stringify(`result-${image.filename}`)}, "wb") as file:`,
    "    file.write(result)",
    'print(job["status"], len(result), "bytes")',
    "",
  ].join("\n");
}

function request(address, extra, use) {
  const given = extra || "headers=HEADERS";
  return `with urllib.request.urlopen(urllib.request.Request(${address}, ${given})) as answer:\n    ${use}`;
}

function pretty(operations) {
  return `[\n${operations.map((operation) => `  ${JSON.stringify(operation)}`).join(",\n")}\n]`;
}

// One word of a POSIX shell, whatever is in it.
function quoted(text) {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
