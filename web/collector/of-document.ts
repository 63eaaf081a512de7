/**
 * Reads a property of the document itself. An element with that name, such as `<img name="title">`, hides the property
 * from `document.title`.
 */
export function ofDocument<Name extends 'currentScript' | 'referrer' | 'title'> (name: Name): Document[Name] {
  return Reflect.get(Document.prototype, name, document) as Document[Name]
}
