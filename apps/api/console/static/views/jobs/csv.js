// Tables in CSV files: read as the server reads them (docs/batches.md), and written.
const DELIMITERS = [",", ";", "\t"];
const NAMED = /^\ufeff?sep=(.)\r?\n?$/i;

// What the server calls the columns that it uses, and which names it takes for each.
export const COLUMNS = [
  { name: "Product Name", label: "Product name", spellings: ["productname", "product", "name", "producttitle", "title", "productnames"] },
  { name: "Input Image Urls", label: "Addresses of images", spellings: ["inputimageurls", "inputimageurl", "inputimages", "inputimage", "inputurl", "inputurls", "image", "images", "imageurl", "imageurls", "imagelink", "imagelinks", "imagesrc", "url", "urls", "link", "links"] },
  { name: "Serial Number", label: "Serial number", optional: true, spellings: ["serialnumber", "serial", "sno", "slno", "srno", "no", "sn", "id", "number"] },
];

// Reads a file in UTF-8, UTF-16 or Windows-1252: { delimiter, header, line, rows: [{ line, cells }] }.
export async function readSheet(file) {
  return parseSheet(decoded(new Uint8Array(await file.arrayBuffer())));
}

export function parseSheet(text) {
  let rest = text.replace(/^\ufeff/, "");
  let line = 1;
  let delimiter;
  for (;;) {
    const first = /^[^\n]*\n?/.exec(rest)[0];
    const named = NAMED.exec(first);
    if (!rest || (first.trim() && !named)) break;
    if (named) delimiter = named[1];
    rest = rest.slice(first.length);
    line += 1;
  }
  delimiter ??= mostFrequent(/^[^\n]*/.exec(rest)[0]);
  const [head = { line, cells: [] }, ...rows] = records(rest, delimiter, line);
  return { delimiter, line: head.line, header: head.cells.map((cell) => cell.trim()), rows };
}

export function writeSheet({ delimiter, header, rows }) {
  const quoted = (cell) => (/["\r\n]|^\s|\s$/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return [header, ...rows.map((row) => row.cells)].map((cells) => `${cells.map(quoted).join(delimiter)}\r\n`).join("");
}

// The position of each column that the server would find by its name; -1 for none.
export function guessed(header) {
  const words = header.map(plain);
  return Object.fromEntries(COLUMNS.map(({ name, spellings }) => {
    const exact = words.indexOf(plain(name));
    return [name, exact >= 0 ? exact : words.findIndex((word) => spellings.includes(word))];
  }));
}

// The header with the server's names at the chosen positions, { name: position }.
export function renamed(header, chosen) {
  const names = new Map(Object.entries(chosen).filter(([, at]) => at >= 0).map(([name, at]) => [at, name]));
  const taken = new Set([...names.values()].map(plain));
  return header.map((cell, at) => names.get(at) ?? (taken.has(plain(cell)) ? `Other ${cell}` : cell));
}

export function plain(text) {
  return text.toLowerCase().replace(/[\W_]+/gu, "");
}

function decoded(data) {
  if (data[0] === 0xff && data[1] === 0xfe) return new TextDecoder("utf-16le").decode(data);
  if (data[0] === 0xfe && data[1] === 0xff) return new TextDecoder("utf-16be").decode(data);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return new TextDecoder("windows-1252").decode(data);
  }
}

function mostFrequent(line) {
  const count = (delimiter) => line.split(delimiter).length;
  return DELIMITERS.reduce((best, one) => (count(one) > count(best) ? one : best));
}

// The rows that are not empty, each with the number of its first line.
function records(text, delimiter, firstLine) {
  const found = [];
  let line = firstLine;
  let row = { line, cells: [] };
  let cell = "";
  let inQuotes = false;
  const endCell = () => {
    row.cells.push(cell);
    cell = "";
  };
  const endRow = () => {
    endCell();
    if (row.cells.some((one) => one.trim())) found.push(row);
    row = { line, cells: [] };
  };
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\n") line += 1;
    if (inQuotes) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') cell += text[(at += 1)];
      else inQuotes = false;
    } else if (char === '"' && !cell.trim()) {
      inQuotes = true;
      cell = "";
    } else if (char === delimiter) endCell();
    else if (char === "\n") endRow();
    else if (char !== "\r") cell += char;
  }
  endRow();
  return found;
}
