// What is searched for: the query of the address, so that a search can be kept, shared, and left with "back".
import { go } from "../../router.js";
import { nameOf } from "./by-file.js";

export const SORTS = [
  ["", "Newest first"],
  ["created_at", "Oldest first"],
  ["filename", "Name A to Z"],
  ["-filename", "Name Z to A"],
  ["-size_bytes", "Largest first"],
  ["size_bytes", "Smallest first"],
];
export const FORMATS = ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp", "jxl", "heic"];
const MB = 1_000_000;

// The fields of the address, as the API takes them.
const FIELDS = ["filename", "tags", "format", "status", "created_after", "created_before", "min_size_bytes", "max_size_bytes", "sort", "like", "like_file"];

export function searchOf(query) {
  return Object.fromEntries(FIELDS.filter((name) => query[name]).map((name) => [name, query[name]]));
}

export function show(search, options) {
  const given = Object.entries(search).filter(([, value]) => value);
  go(given.length ? `/library?${new URLSearchParams(given)}` : "/library", options);
}

// Look-alikes are a search of their own, without filters and in the order of their distance.
export const isByLikeness = ({ like, like_file: file }) => Boolean(like || file);
const LIKENESS = { like: "", like_file: "" };

// The search with other filters.
export const narrowed = (search, filters) => ({ ...search, ...LIKENESS, ...filters });

// What is chosen beside name and order, as [field, text]: each can be taken away.
export function chosen(search) {
  const texts = {
    tags: (value) => `tagged ${value}`,
    format: (value) => value.toUpperCase(),
    status: (value) => value,
    created_after: (value) => `from ${value.slice(0, 10)}`,
    created_before: (value) => `before ${value.slice(0, 10)}`,
    min_size_bytes: (value) => `at least ${value / MB} MB`,
    max_size_bytes: (value) => `at most ${value / MB} MB`,
    like: () => "look-alikes",
    like_file: (value) => `look-alikes of ${nameOf(value)}`,
  };
  return Object.entries(texts).filter(([name]) => search[name]).map(([name, text]) => [name, text(search[name])]);
}

// The fields of the dialog, from and to those of the address.
export function toForm(search) {
  return {
    ...search,
    created_after: search.created_after?.slice(0, 10) ?? "",
    created_before: search.created_before?.slice(0, 10) ?? "",
    min_mb: search.min_size_bytes ? search.min_size_bytes / MB : "",
    max_mb: search.max_size_bytes ? search.max_size_bytes / MB : "",
  };
}

export function fromForm(search, { min_mb: min, max_mb: max, created_after: after, created_before: before, ...rest }) {
  return {
    ...narrowed(search, rest),
    created_after: after && new Date(`${after}T00:00`).toISOString(),
    created_before: before && new Date(`${before}T00:00`).toISOString(),
    min_size_bytes: min && String(Math.round(min * MB)),
    max_size_bytes: max && String(Math.round(max * MB)),
  };
}
