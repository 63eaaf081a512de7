/* global document */
// Sends the form of the page, which people without scripts send with its button.
document.forms[0].submit()
