/** The demonstration's choice of people: who has come in meanwhile shows without loading the page again. */

import { keepLive } from "./live.ts";

keepLive(() => undefined);
