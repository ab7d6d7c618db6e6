// Elements of the page. Whatever a recording calls its tasks reaches the page through here, as text:
// nothing is ever parsed as HTML.

type Child = Node | string | null | undefined;

interface Properties {
  class?: string;
  id?: string;
  title?: string;
  role?: string;
  type?: string;
  tabIndex?: number;
  disabled?: boolean;
  hidden?: boolean;
  [attribute: `aria-${string}` | `data-${string}`]: string | number | boolean | undefined;
  onclick?: (event: MouseEvent) => void;
}

/** An element with properties and children; texts become text nodes. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name === "class") element.className = String(value);
    else if (name.startsWith("aria-") || name.startsWith("data-") || name === "role")
      element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.filter((it): it is Node | string => it !== null && it !== undefined));
  return element;
}

/** A button that does `act`. */
export function button(text: string, act: () => void, properties: Properties = {}): HTMLButtonElement {
  return el("button", { type: "button", ...properties, onclick: act }, text);
}

/** Names and what they are, as a list of terms. */
export function facts(...pairs: (readonly [string, Child] | null)[]): HTMLDListElement {
  const list = el("dl", { class: "facts" });
  for (const pair of pairs) {
    if (pair && pair[1] !== "" && pair[1] !== null) list.append(el("dt", {}, pair[0]), el("dd", {}, pair[1]));
  }
  return list;
}
