"use strict";
// Chats without reloading: a message is sent, its reply streams in. Everything also works, by reloading, without this.

const json = { Accept: "application/json" };

function bubble(list, role, who) {
  list.querySelector(".hint")?.remove();
  const item = document.createElement("li");
  item.className = `said ${role}`;
  const name = document.createElement("span");
  name.className = "who";
  name.textContent = who;
  const text = document.createElement("p");
  item.append(name, text);
  list.append(item);
  return text;
}

function nearEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 80;
}

class Chat {
  constructor(section) {
    this.section = section;
    this.label = section.dataset.label;
    this.url = `/reply/${section.dataset.comparison}/${this.label}`;
    this.left = Number(section.dataset.left);
    this.list = section.querySelector(".said-list");
    this.form = section.querySelector("form");
    this.box = section.querySelector("textarea");
    this.button = section.querySelector("button");
    this.form.addEventListener("submit", (event) => this.send(event));
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.form.requestSubmit();
      }
    });
    this.list.scrollTop = this.list.scrollHeight;
    if ("waiting" in section.dataset) this.listen();
  }

  get answered() {
    return this.list.querySelectorAll(".said.assistant:not(.coming)").length;
  }

  say(kind, text) {
    this.section.querySelector(`[data-${kind}]`).textContent = text;
  }

  hold(on) {
    this.busy = on;
    this.button.disabled = on;
    this.section.setAttribute("aria-busy", String(on));
  }

  async send(event) {
    event.preventDefault();
    const text = this.box.value.trim();
    if (!text || this.busy) return;
    this.hold(true);
    this.say("error", "");
    try {
      const response = await fetch(this.form.action, { method: "POST", headers: json, body: new URLSearchParams(new FormData(this.form)) });
      if (!response.ok) {
        if (response.status === 409) return location.assign("/study");
        throw new Error((await response.json()).error);
      }
      bubble(this.list, "user", "You").textContent = text;
      this.box.value = "";
      this.left -= 1;
      this.listen();
    } catch (error) {
      this.hold(false);
      this.say("error", error instanceof TypeError ? "No connection. Your text is still here; please try again." : error.message);
    }
  }

  listen() {
    this.hold(true);
    this.say("status", `Assistant ${this.label} is writing.`);
    const text = bubble(this.list, "assistant", `Assistant ${this.label}`);
    text.parentElement.classList.add("coming");
    this.list.scrollTop = this.list.scrollHeight;
    const source = new EventSource(this.url);
    const follow = (change) => {
      const stay = nearEnd(this.list);
      change();
      if (stay) this.list.scrollTop = this.list.scrollHeight;
    };
    source.addEventListener("so_far", (event) => follow(() => (text.textContent = JSON.parse(event.data))));
    source.addEventListener("piece", (event) => follow(() => (text.textContent += JSON.parse(event.data))));
    source.addEventListener("end", () => {
      source.close();
      text.parentElement.classList.remove("coming");
      this.say("status", `Assistant ${this.label}: ${text.textContent}`);
      this.rest();
    });
    source.addEventListener("failed", () => {
      source.close();
      text.parentElement.remove();
      this.offerAgain();
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      text.parentElement.remove();
      this.offerAgain();
    });
  }

  offerAgain() {
    const again = document.createElement("button");
    again.type = "button";
    again.className = "quiet";
    again.textContent = "Ask for the reply again";
    again.addEventListener("click", () => {
      this.say("error", "");
      this.listen();
    });
    this.say("error", "No reply came. ");
    this.section.querySelector("[data-error]").append(again);
  }

  rest() {
    this.hold(false);
    if (this.left <= 0) {
      this.form.hidden = true;
      this.section.querySelector("[data-closed]").hidden = false;
    } else if (document.activeElement === document.body) {
      this.box.focus({ preventScroll: true });
    }
    const next = document.querySelector("[data-next]");
    if (chats.every((chat) => chat.answered >= Number(next.dataset.min))) next.disabled = false;
  }
}

const chats = [...document.querySelectorAll(".chat[data-label]")].map((section) => new Chat(section));

const strength = document.querySelector("[data-strength]");
if (strength) {
  const set = () => {
    const chosen = document.querySelector("[data-choice]:checked")?.value;
    const asked = chosen === "A" || chosen === "B";
    strength.hidden = !asked;
    strength.querySelectorAll("input").forEach((input) => (input.required = asked));
  };
  document.querySelectorAll("[data-choice]").forEach((input) => input.addEventListener("change", set));
  set();
}

const minutes = document.querySelector("[data-minutes]");
if (minutes) setInterval(() => (minutes.textContent = Math.max(0, Number(minutes.textContent) - 1)), 60000);

document.querySelectorAll("main form:not(.composer)").forEach((form) =>
  form.addEventListener("submit", () => {
    if (form.checkValidity()) setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)));
  }),
);
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
