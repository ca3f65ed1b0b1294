/** Nest 10 on Express, or on Fastify: `PLATFORM=fastify node main.js`. */
import "reflect-metadata";
import * as common from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import * as rxjs from "rxjs";
import { serve } from "../_nest.js";

const adapter = process.env.PLATFORM === "fastify"
  ? new (await import("@nestjs/platform-fastify")).FastifyAdapter()
  : undefined;
await serve({ ...rxjs, ...common, NestFactory }, adapter);
