/**
 * Runs express-session's own tests against `expressSession(sessions, { compat: true })`, and prints
 * what passed by group:
 *
 *   deno task test:express-session PATH
 *
 * PATH is a checkout of https://github.com/expressjs/session. Run tests/frameworks/install before.
 * Nothing of the checkout is changed. CI does not run this; it runs express_compat_test.ts and express_libraries_test.ts.
 */

/** A result of mocha. */
interface Result {
  file: string;
  fullTitle: string;
  err: { message?: string };
}

/** The groups that have to pass. */
const REQUIRED = ["new Cookie()", "req.session", "res.end patch", "cookie option"];

/** Tests in required groups that cannot pass, with the reasons. */
const DIFFERENT: Record<string, string> = {
  "session() req.session .cookie .* should forward errors setting cookie":
    "an invalid date in the option expires throws when the middleware is made, not in each response",
  [
    'session() cookie option when "sameSite" set to "auto" combined with secure auto when "secure" ' +
    'is "false" should set SameSite=None without Secure when secure'
  ]: "browsers refuse such a cookie, so that this package does not send it",
};

/** What to know about the other groups: what they test is different on purpose, or an option. */
const REASONS: Record<string, string> = {
  "session()":
    "there is no req.secret; a store that fails is 503; an assignment to req.sessionID throws",
  "when response ended": "",
  "when sid not in store": "",
  "when sid not properly signed": "",
  "when session expired in store":
    "a session lives for at least one second, and the test waits 20 ms",
  "when session without cookie property in store": "the error is one of the shim's store",
  "proxy option": "the shim does that: Express' own setting trust proxy takes its place",
  "cookie option": "",
  "genid option": "IDs are random, so generateId gets no request, and the format is checked",
  "key option": "",
  "name option": "",
  "rolling option": "",
  "resave option":
    "the shim's store has no touch, so that a use is noted by set; a touch that fails is an event",
  "saveUninitialized option":
    "if the session cannot be saved, the response fails; express-session sends it all the same",
  "secret option": "",
  "unset option":
    "a session that was never stored need not be ended, so that the store cannot fail",
  "synchronous store": "",
  "cookieParser()":
    "the session's State reads the header Cookie, never what another middleware made of it",
};

const here = import.meta.dirname!;
const modules = `${here}/../node_modules`;
const [checkout] = Deno.args;
if (checkout === undefined) {
  console.error(
    "Usage: deno task test:express-session PATH_OF_THE_CHECKOUT",
  );
  Deno.exit(2);
}

const folder = await Deno.makeTempDir({ prefix: "express-session-" });
try {
  const { results, stderr } = await run(checkout);
  if (results.length === 0) throw new Error(`mocha ran no test\n${stderr}`);
  Deno.exitCode = report(results) ? 0 : 1;
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** Runs the tests of the checkout in a copy, in which the library is the shim. */
async function run(checkout: string): Promise<{ results: Result[]; stderr: string }> {
  await command("cp", ["-R", `${checkout}/test`, `${folder}/test`]);
  await Deno.symlink(modules, `${folder}/node_modules`);
  await Deno.mkdir(`${folder}/session`);
  const shim = JSON.stringify(`${here}/shim.cjs`);
  await Deno.writeTextFile(`${folder}/index.js`, `module.exports = require(${shim})\n`);
  await Deno.writeTextFile(
    `${folder}/session/cookie.js`,
    `module.exports = require(${shim}).Cookie\n`,
  );
  await makeCertificate();
  const { stdout, stderr } = await new Deno.Command(`${modules}/node/bin/node`, {
    args: [
      "--disable-warning=ExperimentalWarning",
      `${modules}/mocha/bin/mocha.js`,
      "--exit",
      ...["--reporter", "json", "--reporter-option", `output=${folder}/results.json`],
      ...["--require", `${folder}/test/support/env.js`],
      `${folder}/test/cookie.js`,
      `${folder}/test/session.js`,
    ],
    cwd: folder,
  }).output();
  const text = await Deno.readTextFile(`${folder}/results.json`).catch(() => "{}");
  const decoder = new TextDecoder();
  return {
    results: JSON.parse(text).tests ?? [],
    stderr: decoder.decode(stdout) + decoder.decode(stderr),
  };
}

/** The certificate that the tests use for HTTPS. */
async function makeCertificate(): Promise<void> {
  const fixtures = `${folder}/test/fixtures`;
  await Deno.mkdir(fixtures, { recursive: true });
  await command("openssl", [
    ..."req -x509 -nodes -newkey rsa:2048 -days 30 -subj /CN=express-session.local".split(" "),
    ...["-keyout", `${fixtures}/server.key`, "-out", `${fixtures}/server.crt`],
  ]);
}

async function command(name: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args }).output();
  if (!success) throw new Error(`${name} failed\n${new TextDecoder().decode(stderr)}`);
}

/** Prints what passed. Returns whether the required groups have. */
function report(results: readonly Result[]): boolean {
  const groups = new Map<string, { passed: number; failed: Result[]; different: string[] }>();
  for (const result of results) {
    const name = groupOf(result.fullTitle);
    const group = groups.get(name) ?? { passed: 0, failed: [], different: [] };
    groups.set(name, group);
    if (Object.keys(result.err).length === 0) group.passed++;
    else if (DIFFERENT[result.fullTitle] !== undefined) group.different.push(result.fullTitle);
    else group.failed.push(result);
  }
  let isGood = true;
  for (const [name, { passed, failed, different }] of groups) {
    const isRequired = REQUIRED.includes(name);
    if (isRequired && failed.length > 0) isGood = false;
    const mark = isRequired ? "required" : "optional";
    const reason = failed.length > 0 && !isRequired ? `: ${REASONS[name]}` : "";
    console.log(`${mark}  ${name}: ${passed} passed, ${failed.length} failed${reason}`);
    for (const title of different) console.log(`          differs: ${title}: ${DIFFERENT[title]}`);
    for (const { fullTitle, err } of failed) {
      const text = (err.message ?? "failed").split("\n")[0];
      console.log(`          ${isRequired ? "FAILED" : "failed"}: ${fullTitle}: ${text}`);
    }
  }
  for (const name of REQUIRED.filter((one) => !groups.has(one))) {
    console.log(`required  ${name}: no such group in this checkout`);
    isGood = false;
  }
  return isGood;
}

function groupOf(title: string): string {
  const [first] = title.split(" with options");
  if (first!.startsWith("new Cookie()")) return "new Cookie()";
  const rest = title.slice("session() ".length);
  return [...REQUIRED, ...Object.keys(REASONS)].find((name) => rest.startsWith(`${name} `)) ??
    "session()";
}
