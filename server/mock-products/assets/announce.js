/* global parent */
// Tells the page around the frame that this one has loaded; it holds nothing worth knowing.
parent.postMessage('gatehouse:loaded', '*')
