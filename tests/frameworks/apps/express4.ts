import express from "express4";
import { serve } from "./_express.ts";

serve(express);
