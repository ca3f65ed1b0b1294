import {
  type CanActivate,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Injectable,
  type MessageEvent,
  Module,
  Post,
  Req,
  Session,
  Sse,
  StreamableFile,
  UnauthorizedException,
  UseGuards,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { type Session as PagiSession, SessionMiddleware } from "@pagi/session";
import { type NestRequest, nestSession } from "@pagi/session/nest";
import { interval, map, type Observable } from "rxjs";

type Data = { name: string; failures: number };
type Admin = { level: number };

const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Data>({ secret });
const admins = new SessionMiddleware<Admin>({ secret, key: "admin" });

export const session = nestSession(sessions);
export const admin = nestSession(admins);

export const User = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  return session.of(context.switchToHttp().getRequest()).subject;
});

@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<NestRequest>();
    if (session.of(request).subject === undefined) throw new UnauthorizedException();
    return true;
  }
}

@Controller()
class Pages {
  @Get("user")
  @UseGuards(SignedInGuard)
  user(@User() user: string): string {
    return `Signed in as ${user}`;
  }

  @Post("password")
  async password(@Session() session: PagiSession<Data>): Promise<void> {
    session.update("failures", (failures = 0) => failures + 1);
    await session.save();
    throw new UnauthorizedException("Wrong password");
  }

  @Get("report")
  report(@Session() session: PagiSession<Data>): StreamableFile {
    session.set("name", "Ada");
    return new StreamableFile(new TextEncoder().encode("report"));
  }

  @Sse("events")
  events(@Session() session: PagiSession<Data>): Observable<MessageEvent> {
    return interval(1000).pipe(map(() => ({ data: session.get("name", "nobody") })));
  }

  @Get("both")
  both(@Req() request: NestRequest): string {
    const level = admin.of(request).get("level", 0);
    return `${session.of(request).get("name", "nobody")}, level ${level}`;
  }
}

@Module({ controllers: [Pages] })
export class AppModule {}

export async function start(): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter());
  session.install(app);
  admin.install(app);
  return app;
}
