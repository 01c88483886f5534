// The one script of every page; a page's own scripts import what they need from its neighbours.

import { startBadge } from "./badge.js";
import { startClocks } from "./clock.js";
import { startForms } from "./forms.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startMenus } from "./menus.js";

startBadge();
startClocks();
startForms();
startKeys();
startMenus();
// Not before every module of the page listens: what was missed meanwhile is told first of all.
document.addEventListener("DOMContentLoaded", startLive);
