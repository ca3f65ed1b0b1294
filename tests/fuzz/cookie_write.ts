/** Writes cookies into a strict cookie jar, compares what it keeps, and clears them again. */
import { type CookieOptions, CookieState, type HeaderPair, SessionError } from "@pagi/session";
import { type Cookie, CookieJar, MemoryCookieStore } from "npm:tough-cookie@6.1.0";
import { type Campaign, failure } from "./_campaign.ts";
import { DOMAINS, good, type Recipe, spoilt } from "./_cookie_options.ts";
import { Random } from "./_random.ts";

/** A recipe is refused by the constructor or by inject(), or the jar keeps exactly what it says. */
export const cookieWrite: Campaign = {
  name: "cookie-write",
  counts: { long: 1_000_000, brief: 100_000 },
  run(count, seed) {
    const random = new Random(seed);
    const seen = { refused: 0, unsendable: 0, kept: 0 };
    for (let at = 0; at < count; at++) {
      const isGood = random.chance(50);
      const recipe = isGood ? good(random) : spoilt(random);
      try {
        const fate = tryOut(recipe);
        if (isGood && fate !== "kept") throw new Error(`A valid cookie is ${fate}`);
        seen[fate]++;
      } catch (error) {
        throw failure((error as Error).message, { case: at, recipe });
      }
    }
    return `${seen.kept} kept as they were written, then cleared; ${seen.refused} refused when ` +
      `made, ${seen.unsendable} when sent`;
  },
};

/** Every combination of names, paths, domains and flags; `count` is the number of repetitions. */
export const cookieClear: Campaign = {
  name: "cookie-clear",
  counts: { long: 1, brief: 1 },
  run(count) {
    const names = [
      "sid",
      "__Secure-sid",
      "__Host-sid",
      "__host-sid",
      "__Http-sid",
      "__Host-Http-sid",
    ];
    const paths = ["/", "/app", "/app/", "/a_b", "/(a)", "/a%3Bb", false] as const;
    const flags = [true, false];
    const seen = { refused: 0, unsendable: 0, kept: 0 };
    for (let at = 0; at < count; at++) {
      for (const cookieName of names) {
        for (const path of paths) {
          for (const domain of [...DOMAINS, false as const]) {
            for (const secure of flags) {
              for (const httpOnly of flags) {
                for (const partitioned of flags) {
                  for (const sameSite of ["Strict", "Lax", "None", false] as const) {
                    const cookieOptions = { path, domain, secure, httpOnly, partitioned, sameSite };
                    const options = { cookieName, cookieOptions };
                    seen[tryOut({ options, value: "abc", expire: 60 })]++;
                  }
                }
              }
            }
          }
        }
      }
    }
    return `${seen.kept} kept and cleared, ${seen.refused} refused`;
  },
};

function tryOut({ options, value, expire }: Recipe): "refused" | "unsendable" | "kept" {
  let state: CookieState;
  try {
    state = new CookieState(options);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return "refused";
    throw error;
  }
  const headers: HeaderPair[] = [];
  try {
    state.inject(headers, value, { expire });
  } catch (error) {
    if (error instanceof TypeError || error instanceof SessionError) return "unsendable";
    throw error;
  }
  const [, text] = headers[0]!;
  const wanted = wantedOf({ options, value, expire });
  checkText(text, wanted);
  keepAndClear(state, text, wanted);
  return "kept";
}

/** The cookie that a recipe asks for. */
interface Wanted {
  name: string;
  value: string;
  path: string;
  domain: string | undefined;
  /** The attributes and their values; names are in lower case. */
  attributes: Map<string, string>;
}

function wantedOf({ options, value, expire }: Recipe): Wanted {
  const given = options.cookieOptions as CookieOptions;
  const { httpOnly = true, path = "/", sameSite = "Lax", maxAge, ...others } = given;
  const { domain, secure, partitioned, priority } = others;
  const age = maxAge ?? Math.min(Math.ceil(options.expire ?? expire ?? 3600), 400 * 24 * 60 * 60);
  const attributes = new Map<string, string>([["path", path || "/"]]);
  if (domain) attributes.set("domain", domain);
  if (httpOnly) attributes.set("httponly", "");
  if (secure) attributes.set("secure", "");
  if (sameSite) attributes.set("samesite", sameSite);
  if (partitioned) attributes.set("partitioned", "");
  if (priority) attributes.set("priority", priority);
  if (age !== false) attributes.set("max-age", String(age));
  const name = options.cookieName!;
  return { name, value, path: path || "/", domain: domain || undefined, attributes };
}

/** Checks that Set-Cookie has the pair and each attribute once, and nothing else. */
function checkText(text: string, { name, value, attributes }: Wanted): void {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e) throw new Error(`Set-Cookie has the unit ${unit}: ${text}`);
  }
  const [pair, ...rest] = text.split("; ");
  if (pair !== `${name}=${value}`) throw new Error(`Set-Cookie has another pair: ${text}`);
  const found = rest.map((attribute) => {
    const equals = attribute.indexOf("=");
    return equals === -1
      ? `${attribute.toLowerCase()}=`
      : attribute.slice(0, equals).toLowerCase() + attribute.slice(equals);
  });
  const wanted = [...attributes].map(([name, value]) => `${name}=${value}`);
  if (found.toSorted().join(";") !== wanted.toSorted().join(";")) {
    throw new Error(`Set-Cookie has other attributes than ${wanted.join("; ")}: ${text}`);
  }
}

function keepAndClear(state: CookieState, text: string, wanted: Wanted): void {
  const store = new MemoryCookieStore();
  const jar = new CookieJar(store, {
    prefixSecurity: "strict",
    // The jar's list of public suffixes has no names without a dot and no addresses.
    rejectPublicSuffixes: wanted.domain !== undefined && /\.[a-z]+$/i.test(wanted.domain),
    allowSpecialUseDomain: true,
  });
  const host = wanted.domain ?? "shop.example.com";
  const url = `https://${host}${wanted.path}`;
  jar.setCookieSync(text, url);
  const kept = only(jar);
  checkKept(kept, wanted);
  // Unlike browsers, this jar decodes paths before it compares them, and URLs normalize dots.
  const isReachable = new URL(url).pathname === wanted.path && !wanted.path.includes("%");
  if (isReachable && wanted.attributes.get("max-age") !== "0") {
    const cookie = jar.getCookieStringSync(url);
    const found = state.extract({ type: "http", headers: [["cookie", cookie]] });
    if (found !== wanted.value) throw new Error(`The browser's "${cookie}" is read as ${found}`);
  }
  const headers: HeaderPair[] = [];
  state.clear(headers);
  jar.setCookieSync(headers[0]![1], url);
  const left = only(jar);
  if (left.TTL() > 0 || left.value !== "") throw new Error(`A cookie is left: ${left}`);
  if (isReachable && jar.getCookiesSync(url).length > 0) throw new Error("A cookie is still sent");
}

/** The only cookie of a jar. A second one means that the first was not replaced. */
function only(jar: CookieJar): Cookie {
  const cookies: Cookie[] = [];
  jar.store.getAllCookies((_error, all) => void cookies.push(...all ?? []));
  if (cookies.length !== 1) throw new Error(`The jar has ${cookies.length} cookies`);
  return cookies[0]!;
}

function checkKept(kept: Cookie, { name, value, path, domain, attributes }: Wanted): void {
  const age = attributes.get("max-age");
  const extensions = ["partitioned", "priority"].filter((name) => attributes.has(name));
  const expected = {
    key: name,
    value,
    path,
    domain: domain?.toLowerCase() ?? "shop.example.com",
    hostOnly: domain === undefined,
    httpOnly: attributes.has("httponly"),
    secure: attributes.has("secure"),
    sameSite: attributes.get("samesite")?.toLowerCase(),
    maxAge: age === undefined ? null : Number(age),
    extensions: extensions.length === 0 ? null : extensions,
  };
  const found = {
    key: kept.key,
    value: kept.value,
    path: kept.path,
    domain: kept.domain,
    hostOnly: kept.hostOnly,
    httpOnly: kept.httpOnly,
    secure: kept.secure,
    sameSite: kept.sameSite,
    maxAge: kept.maxAge,
    extensions: kept.extensions?.map((extension) => extension.toLowerCase().split("=")[0]) ?? null,
  };
  const [want, have] = [JSON.stringify(expected), JSON.stringify(found)];
  if (want !== have) throw new Error(`The jar has ${have} instead of ${want}`);
}
