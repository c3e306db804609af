"use strict";

// Shows openapi.json. An entry is drawn when it is opened first, so that a schema costs nothing until it is read.

const METHODS = ["get", "post", "put", "patch", "delete"];
const LIMITS = {
  format: "format", pattern: "pattern", minimum: "at least", maximum: "at most", minLength: "length at least",
  maxLength: "length at most", minItems: "items at least", maxItems: "items at most", default: "default",
};
const HEADER_OF_SCHEME = {
  sessionToken: "-H 'X-Tidepool-Session-Token: TOKEN'", bearer: "-H 'Authorization: Bearer TOKEN'",
  serviceSecret: "-H 'X-Tidepool-Service-Secret: SECRET'", basic: "-u 'EMAIL:PASSWORD'",
};
let api;

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== ""));
  return made;
}

const code = (text) => element("code", {}, String(text));

/** Text in which backticks enclose code. */
const prose = (text = "") => text.split("`").map((part, index) => (index % 2 ? code(part) : part));

/** Details whose content is drawn when they are opened first. */
function lazyDetails(attributes, summary, draw) {
  const details = element("details", attributes, summary);
  details.draw = () => {
    if (details.isDrawn) return;
    details.isDrawn = true;
    details.append(...[draw()].flat().filter(Boolean));
  };
  details.addEventListener("toggle", () => details.open && details.draw());
  return details;
}

const heading = (text) => element("h3", {}, text);
const nameOf = (schema) => schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
const schemaOf = (schema) => (schema.$ref ? api.components.schemas[nameOf(schema)] : schema);
const isNull = (schema) => schema.type === "null";
const waysOf = (schema) => (schema.anyOf || schema.oneOf || []).filter((way) => !isNull(way));

function between(items, separator) {
  return items.flatMap((item, index) => (index ? [separator, item] : [item])).flat();
}

/** What a value looks like, in a few words: an array of nodes and texts. */
function kindOf(schema) {
  if (schema.$ref) return [nameOf(schema)];
  if ("const" in schema) return [code(schema.const)];
  if (schema.enum) return between(schema.enum.filter((value) => value !== null).map(code), " or ");
  const ways = waysOf(schema);
  if (ways.length && !schema.type) {
    const kinds = new Map(ways.map((way) => [kindOf(way).map((part) => part.textContent || part).join(""), kindOf(way)]));
    return between([...kinds.values()], " or ");
  }
  const type = [schema.type || "any JSON"].flat().find((name) => name !== "null") || "null";
  const limits = Object.keys(LIMITS).filter((name) => name in schema);
  const told = limits.length
    ? [" (", ...between(limits.map((name) => [`${LIMITS[name]} `, code(schema[name])]), ", "), ")"]
    : [];
  return [...(type === "array" ? ["array of ", ...kindOf(schema.items || {})] : [type]), ...told];
}

/** The part of a schema that has members to show: itself, its items or values, or one of its alternatives. */
function partsWithMembers(schema) {
  if (schema.$ref || schema.properties) return [schema];
  const inner = [schema.items, schema.additionalProperties].filter((part) => part && typeof part === "object");
  return [...inner, ...waysOf(schema)].flatMap(partsWithMembers);
}

/** What distinguishes an alternative from the others: the constants of its members. */
function titleOf(schema, index) {
  const members = Object.entries(schema.properties || {}).filter(([, member]) => "const" in member);
  return members.map(([name, member]) => `${name} ${member.const}`).join(", ") || `alternative ${index + 1}`;
}

function memberItem(name, schema, isRequired) {
  return element(
    "li", {},
    code(name), " ",
    element("span", { class: "quiet" }, kindOf(schema)),
    isRequired ? element("span", { class: "needed" }, " required") : "",
    schema.description ? element("p", {}, prose(schema.description)) : "",
    partsDetails(partsWithMembers(schema)),
  );
}

/** Each part of a schema, closed, under its name or what distinguishes it. */
function partsDetails(parts) {
  return parts.map((part, index) => {
    const title = parts.length > 1 ? titleOf(part, index) : "members";
    return lazyDetails({}, element("summary", {}, part.$ref ? nameOf(part) : title), () => schemaBody(part));
  });
}

/** The members of a schema, or those of each of its alternatives. */
function schemaBody(reference) {
  const schema = schemaOf(reference);
  const about = schema.description ? [element("p", {}, prose(schema.description))] : [];
  const required = schema.required || [];
  const members = Object.entries(schema.properties || {});
  if (members.length) {
    const items = members.map(([name, member]) => memberItem(name, member, required.includes(name)));
    return [...about, element("ul", { class: "members" }, items)];
  }
  const parts = partsWithMembers(schema);
  if (!parts.length) return [...about, element("p", {}, kindOf(schema))];
  return [...about, element("p", { class: "quiet" }, kindOf(schema)), element("div", { class: "ways" }, partsDetails(parts))];
}

function contentOf(content = {}) {
  return Object.entries(content).map(([mediaType, { schema }]) =>
    element(
      "div", {},
      element("p", {}, code(mediaType), " ", element("span", { class: "quiet" }, kindOf(schema))),
      element("div", { class: "ways" }, partsDetails(partsWithMembers(schema))),
    ));
}

function parametersOf(parameters) {
  const items = parameters.map((parameter) =>
    element(
      "li", {},
      code(parameter.name), " ",
      element("span", { class: "quiet" }, `${parameter.in}, `, kindOf(parameter.schema)),
      parameter.required && parameter.in !== "path" ? element("span", { class: "needed" }, " required") : "",
      element("p", {}, prose(parameter.description || parameter.schema.description)),
    ));
  return [heading("Parameters"), element("ul", { class: "members" }, items)];
}

function repliesOf(responses) {
  const replies = Object.entries(responses).map(([status, reply]) =>
    [status, reply.$ref ? api.components.responses[nameOf(reply)] : reply]);
  const item = ([status, reply]) => element(
    "li", {},
    code(status), " ", prose(reply.description),
    Object.entries(reply.headers || {}).map(([name, header]) =>
      element("p", { class: "quiet" }, "header ", code(name), " ", prose(header.description))),
    contentOf(reply.content),
  );
  const list = (chosen) => element("ul", { class: "members" }, chosen.map(item));
  const failures = replies.filter(([status]) => status >= "400");
  return [
    heading("Replies"), list(replies.filter(([status]) => status < "400")),
    lazyDetails(
      { class: "inner" },
      element("summary", {}, `Failures: ${failures.map(([status]) => status).join(", ")}`),
      () => list(failures),
    ),
  ];
}

function exampleOf(method, path, operation) {
  const base = new URL(".", location.href).href.replace(/\/$/, "");
  const scheme = operation.security.flatMap(Object.keys).find((name) => name in HEADER_OF_SCHEME);
  const mediaType = Object.keys(operation.requestBody?.content || {})[0];
  const parts = [
    method === "get" ? "curl" : `curl -X ${method.toUpperCase()}`,
    scheme && HEADER_OF_SCHEME[scheme],
    mediaType && `-H 'Content-Type: ${mediaType}' --data-binary @body`,
    `'${base}${path}'`,
  ];
  return element("pre", { tabindex: "0" }, code(parts.filter(Boolean).join(" \\\n  ")));
}

function operationBody(method, path, operation) {
  const ways = operation.security.map((way) => Object.keys(way).join(" and ") || "none");
  const body = operation.requestBody;
  return element(
    "div", {},
    operation.description ? element("p", {}, prose(operation.description)) : "",
    element(
      "p", {},
      "Credentials: ", ways.length ? element("a", { href: "#credentials" }, ways.join(" or ")) : "none, anyone may call",
    ),
    (operation.servers || []).slice(1).map((server) => element("p", {}, "Also at ", code(server.url + path))),
    operation.parameters ? parametersOf(operation.parameters) : "",
    body
      ? [
          heading(body.required ? "Body" : "Body (optional)"),
          body.description ? element("p", {}, prose(body.description)) : "",
          contentOf(body.content),
        ]
      : "",
    repliesOf(operation.responses),
    heading("Example"),
    exampleOf(method, path, operation),
  );
}

/** A path that may be broken before each slash. */
const breakable = (path) => path.split(/(?=\/)/).flatMap((part) => [element("wbr"), part]);

function operationEntry(method, path, operation) {
  const summary = element(
    "summary", {},
    element("span", { class: `method ${method}` }, method.toUpperCase()),
    element("code", { class: "path" }, breakable(path)),
    element("span", { class: "what" }, prose(operation.summary)),
  );
  const entry = lazyDetails({ class: "entry", id: operation.operationId }, summary, () =>
    operationBody(method, path, operation));
  entry.searched = [method, path, operation.summary, operation.description, operation.operationId].join(" ").toLowerCase();
  return entry;
}

function schemaEntry(name, schema) {
  const body = () => {
    const raw = () => element("pre", { tabindex: "0" }, code(JSON.stringify(schema, null, 1)));
    return element(
      "div", {}, schemaBody(schema),
      lazyDetails({ class: "inner" }, element("summary", {}, "As JSON Schema, with all conditions"), raw),
    );
  };
  return lazyDetails({ class: "entry", id: `schema-${name}` }, element("summary", { class: "name" }, code(name)), body);
}

function section(title, about, children) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  byId("links").append(element("li", {}, element("a", { href: `#${id}` }, title)));
  const made = element(
    "section", { "aria-labelledby": id },
    element("h2", { id }, title), about ? element("p", {}, prose(about)) : "", children,
  );
  byId("operations").append(made);
  return made;
}

function draw() {
  byId("about").append(...api.info.description.split("\n\n").map((part) => element("p", {}, prose(part))));
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => [method, path, item[method]]));
  const sections = api.tags.map(({ name, description }) => {
    const tagged = operations.filter(([, , operation]) => operation.tags.includes(name));
    return section(name, description, tagged.map((parts) => operationEntry(...parts)));
  });
  const schemes = Object.entries(api.components.securitySchemes).map(([name, scheme]) =>
    element(
      "li", {},
      code(name), " ",
      element("span", { class: "quiet" }, `${scheme.in || "header"} `, code(scheme.name || "Authorization")),
      element("p", {}, prose(scheme.description)),
    ));
  section("Credentials", "How a request says who sends it.", [element("ul", { class: "members" }, schemes)]);
  const schemas = Object.entries(api.components.schemas).map((parts) => schemaEntry(...parts));
  section("Data model and bodies", "", schemas);
  byId("filter").addEventListener("input", () => filterOperations(sections));
  filterOperations(sections);
}

/** Hide the operations that lack one of the words, and the sections that are empty then. */
function filterOperations(sections) {
  const words = byId("filter").value.toLowerCase().split(/\s+/);
  let shown = 0;
  let all = 0;
  for (const part of sections) {
    const entries = [...part.querySelectorAll(":scope > details")];
    for (const entry of entries) entry.hidden = !words.every((word) => entry.searched.includes(word));
    const visible = entries.filter((entry) => !entry.hidden).length;
    part.hidden = visible === 0;
    shown += visible;
    all += entries.length;
  }
  byId("count").textContent = shown === all ? `${all} operations` : `${shown} of ${all} operations`;
}

/** Open what the address names after its `#`. */
function openTarget() {
  const target = byId(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.matches("details.entry")) {
    target.draw();
    target.open = true;
    target.querySelector("summary").focus({ preventScroll: true });
  }
  target.scrollIntoView();
}

async function start() {
  const state = byId("state");
  state.textContent = "Loading …";
  try {
    const reply = await fetch("openapi.json");
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    api = await reply.json();
  } catch (error) {
    state.setAttribute("role", "alert");
    state.textContent = `The description of the API cannot be loaded (${error.message}). Reload the page to try again.`;
    return;
  }
  byId("contents").open = matchMedia("(min-width: 60rem)").matches;
  draw();
  state.hidden = true;
  byId("layout").hidden = false;
  // The address names the entry that was opened last, so that it can be passed on.
  byId("operations").addEventListener("toggle", ({ target }) => {
    if (target.open && target.matches(".entry")) history.replaceState(null, "", `#${target.id}`);
  }, true);
  addEventListener("hashchange", openTarget);
  openTarget();
}

start();
