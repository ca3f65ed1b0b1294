import { nuxtSession } from "@pagi/session/nuxt";
import { sessions } from "../../../_shop.ts";

export default nuxtSession(sessions);
