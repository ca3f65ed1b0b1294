import "reflect-metadata";
import { Body, Controller, Get, Module, Post, Redirect, Session } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { type Session as PagiSession, SessionMiddleware } from "@pagi/session";
import { nestSession } from "@pagi/session/nest";

type Data = { name: string };

const sessions = new SessionMiddleware<Data>({
  secret: "replace this with: openssl rand -hex 32",
});

@Controller()
class LoginController {
  @Get()
  home(@Session() session: PagiSession<Data>): string {
    const name = session.get("name", undefined);
    return name === undefined
      ? `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`
      : `<p>Hello, ${escapeHtml(name)}</p>
         <form method="post" action="/logout"><button>Sign out</button></form>`;
  }

  @Post("login")
  @Redirect("/", 303)
  login(@Session() session: PagiSession<Data>, @Body("name") name: string): void {
    // A new subject also changes the session's ID.
    session.subject = name;
    session.set("name", name);
  }

  @Post("logout")
  @Redirect("/", 303)
  logout(@Session() session: PagiSession<Data>): void {
    session.destroy();
  }
}

@Module({ controllers: [LoginController] })
class AppModule {}

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  nestSession(sessions).install(app);
  await app.listen(process.env.PORT ?? 3000);
}
void bootstrap();

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
