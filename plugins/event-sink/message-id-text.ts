// A message id may be any text that JSON can hold; a text column may not hold all of them.
export { fromColumnText, toColumnText } from '../database/column-text.js'
