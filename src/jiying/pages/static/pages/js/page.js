// The one script of every page; a page's own scripts import what they need from its neighbours.

import { startClocks } from "./clock.js";
import { startForms } from "./forms.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startMenus } from "./menus.js";

startClocks();
startForms();
startKeys();
startMenus();
startLive();
