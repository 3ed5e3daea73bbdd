// What the server says of itself in the page: limits that no answer of the API has.
const { maxUploadBytes, registration, version } = document.documentElement.dataset;

export const MAX_UPLOAD_BYTES = Number(maxUploadBytes);
export const REGISTRATION_OPEN = registration === "open";
export const VERSION = version;
