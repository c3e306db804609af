// The start of the page: who is signed in decides between the first page and the views.

import { alertBox, h } from "./dom.js";
import { begin, createAccount, OfflineError, signIn } from "./session.js";
import { start } from "./shell.js";
import { text } from "./texts.js";

function welcome(message = null) {
  const takesAccounts = document.documentElement.dataset.signUp !== "closed";
  document.body.replaceChildren(h("main", { class: "alone" },
    h("h1", {}, "Strandline"),
    message,
    h("p", {}, text("welcome.about")),
    h("button", { type: "button", onclick: () => signIn() }, text("welcome.signIn")),
    takesAccounts && h("button", { type: "button", class: "quiet", onclick: createAccount }, text("welcome.createAccount")),
    h("p", { class: "more" }, h("a", { href: "/docs" }, text("welcome.docs")))));
}

// A page that the browser kept would show data after the person signed out.
addEventListener("pageshow", (event) => event.persisted && location.reload());

try {
  const signedIn = await begin();
  if (signedIn) await start(signedIn.userId);
  else welcome();
} catch (error) {
  if (error instanceof OfflineError) welcome(alertBox(text("error.offline")));
  else welcome(alertBox(text("error.ended")));
}
