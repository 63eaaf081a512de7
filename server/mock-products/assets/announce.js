/* global parent */
// Notifies the embedding page that this frame has loaded. The message contains no data.
parent.postMessage('gatehouse:loaded', '*')
