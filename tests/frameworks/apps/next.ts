import { createRequire } from "node:module";

const [port] = process.argv.slice(2);
const root = `${import.meta.dirname}/next`;
process.chdir(root);
process.env.NEXT_TELEMETRY_DISABLED = "1";
// `next start` runs in this process, so that it ends with it.
process.argv = [process.execPath, "next", "start", "--hostname", "127.0.0.1", "--port", port!];
console.log(`listening ${port}`);
createRequire(`${root}/`)("next/dist/bin/next");
