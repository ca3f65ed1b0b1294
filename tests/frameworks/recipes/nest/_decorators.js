/** Compiles TypeScript with decorators: `node --import ./_decorators.js main.mts`. */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import ts from "typescript";

const compilerOptions = {
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
};

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(".mts") || url.includes("/node_modules/")) return nextLoad(url, context);
    const { outputText } = ts.transpileModule(readFileSync(new URL(url), "utf8"), {
      compilerOptions,
    });
    return { format: "module", shortCircuit: true, source: outputText };
  },
});
