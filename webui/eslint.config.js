// What a formatter cannot see: faults in TypeScript and in templates. Layout is prettier's alone.
import prettier from "eslint-config-prettier/flat";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import vue from "eslint-plugin-vue";
import ts from "typescript-eslint";

// Who may import what (docs/architecture.md): `app` puts the pages together, `features` use `shared` and of each other
// what their index.ts gives, `shared` knows none of them.
const INSIDES = {
  regex: "^\\.\\./(?!\\.\\.)[^/]+/",
  message: "What a feature gives to others stands in its index.ts.",
};
const FEATURES = { regex: "/features(/|$)", message: "shared/ knows no feature." };
const APP = { regex: "/app(/|$)", message: "Only main.ts knows app/." };

export default ts.config(
  { ignores: ["dist", "public", "src/shared/api/schema.ts"] },
  ts.configs.recommended,
  vue.configs["flat/recommended"],
  prettier,
  {
    files: ["src/**/*.{ts,vue}"],
    languageOptions: {
      parserOptions: {
        parser: ts.parser,
        projectService: true,
        extraFileExtensions: [".vue"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // TypeScript itself reports unknown names.
      "no-undef": "off",
      eqeqeq: ["error", "always", { null: "ignore" }],
      // A promise that nobody waits for swallows its error; `void` says that this is meant.
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": [
        "error",
        // Vue waits for event handlers itself and reports what they throw.
        { checksVoidReturn: { attributes: false, properties: false, arguments: false } },
      ],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/restrict-plus-operands": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Names taken out of an object so that the rest goes without them.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      // A form's parts change the one object that the form gave them, never which object it is.
      "vue/no-mutating-props": ["error", { shallowOnly: true }],
      // It takes the | of a TypeScript type for the filters of Vue 2.
      "vue/no-deprecated-filter": "off",
      // A component gives its optional properties no default where undefined is what it means.
      "vue/require-default-prop": "off",
    },
  },
  {
    files: ["src/**/*.{ts,vue}"],
    plugins: { "import-x": importX },
    settings: {
      "import-x/extensions": [".ts", ".vue"],
      "import-x/parsers": { "vue-eslint-parser": [".vue"], "@typescript-eslint/parser": [".ts"] },
      "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".vue"] })],
    },
    rules: { "import-x/no-cycle": ["error", { ignoreExternal: true }] },
  },
  {
    files: ["src/features/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [INSIDES, APP] }] },
  },
  {
    files: ["src/shared/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [FEATURES, APP] }] },
  },
  {
    // One table (shared/table/DataTable.md): its heads, its keys, its narrow screens are the same everywhere.
    files: ["src/**/*.vue"],
    ignores: ["src/shared/table/*.vue"],
    rules: {
      "vue/no-restricted-html-elements": [
        "error",
        ...["table", "thead", "tbody", "tfoot", "tr", "th", "td"].map((element) => ({
          element,
          message: "Tables are made with shared/table/DataTable.vue.",
        })),
      ],
    },
  },
  {
    // The markup is a file of the build; nothing from outside comes there.
    files: ["src/**/AppIcon.vue"],
    rules: { "vue/no-v-html": "off" },
  },
);
