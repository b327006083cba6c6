// Makes the two bundles that the Python package ships: the view as an ES module for
// front ends, and the same with its start for a page of its own.
import { build } from "esbuild";

const assets = "../kernel_ext/nbdurable/timeline/assets";
const shared = {
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
};

await build({ ...shared, format: "esm", entryPoints: ["src/view/index.ts"], outfile: `${assets}/view.js` });
await build({ ...shared, format: "iife", entryPoints: ["src/view/page.ts"], outfile: `${assets}/page.js` });
