import type { FastifyInstance } from "fastify";
import fastify from "fastify4";
import { serve } from "./_fastify.ts";

await serve(fastify() as unknown as FastifyInstance);
