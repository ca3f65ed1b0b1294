import express from "express";
import { serve } from "./_express.ts";

serve(express);
