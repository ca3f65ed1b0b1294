export { sessions } from "../../_work.ts";
