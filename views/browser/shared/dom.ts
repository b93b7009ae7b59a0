/** Attributes of an element: text, or true and false for those that are present or absent. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/**
 * A new element with these attributes and children. Strings become text nodes: nothing that comes
 * from a server is ever read as markup.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) created.setAttribute(name, '');
    else if (value !== false) created.setAttribute(name, String(value));
  }
  created.append(...children);
  return created;
}

/** A paragraph. */
export function paragraph(text: string, className = ''): HTMLParagraphElement {
  return element('p', className === '' ? {} : { class: className }, text);
}

/** A native button that calls `pressed`. */
export function button(label: string, className: string, pressed: () => void): HTMLButtonElement {
  const created = element('button', { type: 'button', class: className }, label);
  created.addEventListener('click', pressed);
  return created;
}
