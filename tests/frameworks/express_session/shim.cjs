/**
 * express-session's function on `expressSession(sessions, { compat: true })`, for the tests of
 * express-session itself. It maps the options. What belongs to an option that this package has no
 * equivalent of, the shim does itself: see "by the shim" below.
 */
const crypto = require("node:crypto");
const path = require("node:path");
// The package's sources: Node strips their types.
const source = (file) => require(path.join(__dirname, "../../..", file));
const { CookieState, SessionMiddleware } = source("mod.ts");
const { expressSession } = source("adapters/express.ts");
const { SessionCookie } = source("adapters/_express_compat/session_cookie.ts");
const { MemoryStore, Store } = require(
  path.join(__dirname, "../node_modules/express-session/index.js"),
);

const DAY = 86_400_000;
const DEFAULT_NAME = "connect.sid";

/** The cookie of express-session, made of its options. */
class Cookie extends SessionCookie {
  constructor(options) {
    super();
    if (options === undefined || options === null) return;
    if (typeof options !== "object") throw new TypeError("argument options must be a object");
    const { data: _, ...attributes } = options;
    Object.assign(this, attributes);
  }
}

/** Signs IDs as express-session does. */
class SignedState extends CookieState {
  #secrets;

  constructor(options, secrets) {
    super(options);
    this.#secrets = secrets;
  }

  extract(scope) {
    const found = [super.extract(scope) ?? []].flat()[0];
    if (found === undefined) return undefined;
    const value = decodeURIComponent(found);
    const id = value.slice(2, value.lastIndexOf("."));
    return this.#secrets.some((secret) => value === sign(id, secret)) ? id : undefined;
  }

  inject(headers, id, options) {
    super.inject(headers, encodeURIComponent(sign(id, this.#secrets[0])), options);
  }
}

function sign(id, secret) {
  const mac = crypto.createHmac("sha256", secret).update(id).digest("base64").replace(/=+$/, "");
  return `s:${id}.${mac}`;
}

/** A store of express-session as one of this package. It keeps the cookie where tests look for it. */
class BridgedStore {
  #store;
  #maxAge;

  constructor(store, maxAge) {
    this.#store = store;
    this.#maxAge = maxAge;
  }

  async get(id) {
    const session = await this.#call("get", id);
    if (!session) return undefined;
    const { cookie: { overrides }, ...data } = session;
    return overrides === undefined ? data : { ...data, cookie: overrides };
  }

  async set(id, { cookie: overrides, ...data }) {
    const { _lifetime: lifetime } = data;
    const originalMaxAge = lifetime === undefined
      ? this.#maxAge
      : lifetime.persistent
      ? lifetime.idle * 1000
      : null;
    const expires = originalMaxAge === null ? null : new Date(Date.now() + originalMaxAge);
    await this.#call("set", id, { ...data, cookie: { originalMaxAge, expires, overrides } });
    return id;
  }

  async delete(id) {
    await this.#call("destroy", id);
  }

  #call(method, ...args) {
    return new Promise((resolve, reject) => {
      this.#store[method](...args, (error, value) => {
        if (error && error.code !== "ENOENT") reject(error);
        else resolve(value);
      });
    });
  }
}

/** The options of express-session's cookie as this package's. */
function cookieOptionsOf({ path, domain, httpOnly, secure, sameSite, partitioned, priority }) {
  const named = (value) => value && value[0].toUpperCase() + value.slice(1).toLowerCase();
  const site = sameSite === true ? "Strict" : named(sameSite);
  return {
    path,
    domain,
    httpOnly,
    // Browsers refuse a partitioned cookie without Secure, so this package requires it.
    secure: secure === true || partitioned === true,
    sameSite: site || false,
    partitioned,
    priority: named(priority),
  };
}

/** By the shim: express-session's option `proxy`. It does not send a secure cookie over HTTP. */
function isSecure(req, proxy) {
  if (req.socket.encrypted || proxy === false) return Boolean(req.socket.encrypted);
  if (proxy !== true) return req.secure === true;
  const [scheme] = (req.headers["x-forwarded-proto"] ?? "").split(",");
  return scheme.trim().toLowerCase() === "https";
}

function dropSecureCookies(res, name) {
  const { setHeader } = res;
  res.setHeader = function (header, value) {
    if (header.toLowerCase() !== "set-cookie") return setHeader.call(this, header, value);
    const kept = [value].flat().filter((one) => {
      return !one.startsWith(`${name}=`) || !/; secure(;|$)/i.test(one);
    });
    return kept.length === 0 ? this : setHeader.call(this, header, kept);
  };
}

/** By the shim: values of cookie options that depend on the request. */
function resolveCookie(cookie, req, proxy) {
  const given = typeof cookie === "function" ? cookie(req) : cookie;
  const secure = isSecure(req, proxy);
  return {
    ...given,
    ...given.secure === "auto" && { secure },
    // Browsers refuse SameSite=None without Secure, so this package requires it.
    ...given.sameSite === "auto" && given.secure === undefined && { secure },
    ...given.sameSite === "auto" && { sameSite: secure ? "none" : "lax" },
  };
}

function checkOptions({ genid, secret, unset = "keep" }) {
  if (!["keep", "destroy"].includes(unset)) throw new TypeError("unset must be keep or destroy");
  if (genid !== undefined && typeof genid !== "function") {
    throw new TypeError("genid must be a function");
  }
  if (Array.isArray(secret) && secret.length === 0) {
    throw new TypeError("secret option array must contain one or more strings");
  }
}

/** Makes the middleware for sessions whose cookie has these options. */
function makeMiddleware(options, store, given) {
  const { genid, rolling = false, saveUninitialized = true, secret, unset } = options;
  const { maxAge } = new Cookie(given);
  const sessions = new SessionMiddleware({
    secret: "the secret of IDs, of 32 bytes or more",
    store: new BridgedStore(store, maxAge),
    state: new SignedState({
      cookieName: nameOf(options),
      cookieOptions: { ...cookieOptionsOf(given), maxAge: maxAge === null ? false : undefined },
    }, [secret].flat()),
    // A session lives for at least one second.
    expire: Math.max(1, Math.round((maxAge || DAY) / 1000)),
    // express-session writes with each response.
    touchInterval: 0,
    rolling,
    saveUninitialized,
    generateId: genid && (() => genid()),
    onEvent() {},
  });
  return expressSession(sessions, { compat: true, unset });
}

const nameOf = ({ name, key }) => name ?? key ?? DEFAULT_NAME;

function session(options = {}) {
  checkOptions(options);
  const { store = new MemoryStore(), proxy, secret, cookie = {} } = options;
  // Options that are wrong throw here, and not in a request.
  const middlewares = new Map();
  const middlewareFor = (given) => {
    const key = JSON.stringify(given);
    if (!middlewares.has(key)) middlewares.set(key, makeMiddleware(options, store, given));
    return middlewares.get(key);
  };
  if (secret && typeof cookie === "object") {
    middlewareFor({ ...cookie, secure: cookie.secure === true, sameSite: "lax" });
  }

  // By the shim: a store that says it is disconnected is not used.
  let isReady = true;
  store.on("disconnect", () => isReady = false);
  store.on("connect", () => isReady = true);

  return function (req, res, next) {
    if (req.session || !isReady) return next();
    if (!secret) return next(new Error("secret option required for sessions"));
    const given = resolveCookie(cookie, req, proxy);
    // By the shim: elsewhere, express-session has no session. Mount this middleware there instead.
    if (!(req.originalUrl ?? req.url).startsWith(given.path ?? "/") && given.path) return next();
    const isOnlyPartitioned = given.partitioned === true && given.secure !== true;
    if (!isOnlyPartitioned && !isSecure(req, proxy)) dropSecureCookies(res, nameOf(options));
    middlewareFor(given)(req, res, next);
  };
}

module.exports = Object.assign(session, { Cookie, MemoryStore, Session: class Session {}, Store });
