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

/** The tests that cannot pass, with the reasons. A failed test that is not listed fails the run. */
const DIFFERENT: Record<string, string> = {
  "session() should get secret from req.secret": "there is no req.secret: a middleware has its own",
  "session() should pass session fetch error": "the error of a store that fails has the status 503",
  "session() should not save with bogus req.sessionID": "an assignment to req.sessionID throws",
  "session() when session without cookie property in store should pass error from inflate":
    "the error of a store that fails has the status 503",
  [
    'session() cookie option when "sameSite" set to "auto" combined with secure auto when "secure" ' +
    'is "false" should set SameSite=None without Secure when secure'
  ]: "browsers refuse such a cookie, so that this package does not send it",
  "session() genid option should provide req argument": "generateId gets no request",
  "session() resave option when false should prevent save on unmodified session":
    "the shim's store has no touch, so that set updates the last-access time",
  "session() resave option when false should still save modified session":
    "the shim's store has no touch, so that set updates the last-access time",
  "session() resave option when false should pass session touch error":
    "the shim's store has no touch that could fail",
  "session() saveUninitialized option should pass session save error":
    "if the session cannot be saved, the response fails; express-session sends it all the same",
  "session() unset option should pass session destroy error":
    "a session that was never stored need not be ended, so that the store cannot fail",
  "session() req.session .cookie .* should forward errors setting cookie":
    "an invalid date in the option expires throws when the middleware is made, not in each response",
  "session() cookieParser() should read from req.cookies":
    "the session's State reads the header Cookie, never what another middleware made of it",
  "session() cookieParser() should read from req.signedCookies":
    "the session's State reads the header Cookie, never what another middleware made of it",
};

/** The other groups, for the report. */
const OTHERS = [
  "when response ended",
  "when sid not in store",
  "when sid not properly signed",
  "when session expired in store",
  "when session without cookie property in store",
  "proxy option",
  "genid option",
  "key option",
  "name option",
  "rolling option",
  "resave option",
  "saveUninitialized option",
  "secret option",
  "unset option",
  "synchronous store",
  "cookieParser()",
];

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
      // One test waits for more than a second, and machines can be busy.
      ...["--timeout", "6000"],
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

/** Prints what passed. Returns whether all has that can. */
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
    if (failed.length > 0) isGood = false;
    const mark = REQUIRED.includes(name) ? "required" : "optional";
    console.log(`${mark}  ${name}: ${passed} passed, ${different.length + failed.length} not`);
    for (const title of different) console.log(`          differs: ${title}: ${DIFFERENT[title]}`);
    for (const { fullTitle, err } of failed) {
      console.log(`          FAILED: ${fullTitle}: ${(err.message ?? "failed").split("\n")[0]}`);
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
  return [...REQUIRED, ...OTHERS].find((name) => rest.startsWith(`${name} `)) ??
    "session()";
}
