import fastify from "fastify";
import { serve } from "./_fastify.ts";

await serve(fastify());
