import { h3Session } from "@pagi/session/h3";
import { sessions } from "../../../_work.ts";

export default h3Session(sessions);
