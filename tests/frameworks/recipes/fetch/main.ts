import { SessionMiddleware } from "@pagi/session";

const sessions = new SessionMiddleware<{ name: string }>({
  secret: "replace this with: openssl rand -hex 32",
});

const redirect = (path: string) => new Response(null, { status: 303, headers: { location: path } });

const handle = sessions.handler(async (request, session) => {
  const { pathname } = new URL(request.url);
  if (request.method === "POST" && pathname === "/login") {
    const name = String((await request.formData()).get("name"));
    // A new subject also changes the session's ID.
    session.subject = name;
    session.set("name", name);
    return redirect("/");
  }
  if (request.method === "POST" && pathname === "/logout") {
    session.destroy();
    return redirect("/");
  }
  if (pathname !== "/") return new Response("Not found", { status: 404 });
  const name = session.get("name", undefined);
  return page(
    name === undefined
      ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : `<p>Hello, ${escapeHtml(name)}</p>
         <form method="post" action="/logout"><button>Sign out</button></form>`,
  );
});

function page(body: string): Response {
  return new Response(`<!DOCTYPE html>${body}`, {
    headers: { "content-type": "text/html; charset=utf-8" },
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export default { fetch: (request: Request) => handle(request) };
