// Names for controls of Piccolo's pages that have none, for screen readers.

const LINKS = {
  "th a": "Change the order",
  "td:last-child > span > a.subtle": "Actions",
  "[data-uitest=drop_down_button]": "Actions",
  "#pagination li:first-child a": "Previous page",
  "#pagination a": "Next page",
  "form a.add": "Open this row",
  "#burger_menu a": "Menu",
};
const FIELDS = {
  ".table_wrapper thead input[type=checkbox]": "Select all rows",
  ".table_wrapper td:first-child input[type=checkbox]": "Select this row",
  "#pagination input": "Page",
  "form:has([data-uitest=save_button]) select:not([name])": "Time zone",
  "form input[type=datetime-local]:not([name])": "Time",
  "#app .pagination_wrapper select": "Rows on a page",
};

const give = (selector, name) => {
  for (const control of document.querySelectorAll(`:is(${selector}):not([aria-label])`)) control.setAttribute("aria-label", name);
};

export function nameControls() {
  for (const [selector, name] of Object.entries({ ...LINKS, ...FIELDS })) give(selector, name);
  for (const field of document.querySelectorAll("#app [name]:not([aria-label])")) {
    field.setAttribute("aria-label", field.name.replaceAll("_", " "));
  }
}
