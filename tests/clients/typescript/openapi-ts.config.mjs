// An operation of hey-api has one media type, and JSON goes first: uploads are forms.
export default {
  input: "openapi.json",
  output: { path: "hey-api", tsConfigPath: `${import.meta.dirname}/tsconfig.json` },
  parser: {
    patch: {
      operations: {
        "POST /api/images": (operation) => {
          delete operation.requestBody.content["application/json"];
        },
      },
    },
  },
};
