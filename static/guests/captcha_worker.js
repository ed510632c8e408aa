// Looks for the number whose hash, behind the salt, is the challenge. Says the number, or null.

const AT_ONCE = 100;
const bytes = new TextEncoder();

async function isIt(task, number) {
  const hash = await crypto.subtle.digest(task.algorithm, bytes.encode(task.salt + number));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("") === task.challenge;
}

async function find(task) {
  for (let first = 0; first <= task.maxNumber; first += AT_ONCE) {
    const found = await Promise.all(Array.from({ length: AT_ONCE }, (_, step) => isIt(task, first + step)));
    if (found.includes(true)) return first + found.indexOf(true);
  }
  return null;
}

onmessage = (event) => find(event.data).then(postMessage);
