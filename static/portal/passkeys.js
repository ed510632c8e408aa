// Buttons that ask the browser for a passkey: <button data-passkey="use" or "register" data-begin="…" data-complete="…">
// inside an element with [data-passkey-place], which is shown only where the browser knows passkeys.

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

const known = (credentials) => (credentials || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function call(address, body) {
  const token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(address, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(body),
  });
  const isJson = (answer.headers.get("Content-Type") || "").includes("application/json");
  const found = isJson ? await answer.json() : {};
  if (!answer.ok) throw new Error(found.detail || "");
  return found;
}

async function register(button) {
  const options = await call(button.dataset.begin, {});
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  });
  const name = document.querySelector("[data-passkey-name]");
  return call(button.dataset.complete, {
    ...shown(made),
    name: name ? name.value : "",
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    },
  });
}

async function use(button) {
  const options = await call(button.dataset.begin, {});
  const given = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    },
  });
  const { response } = given;
  return call(button.dataset.complete, {
    ...shown(given),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  });
}

const shown = (credential) => ({
  id: credential.id,
  rawId: text(credential.rawId),
  type: credential.type,
  authenticatorAttachment: credential.authenticatorAttachment,
  clientExtensionResults: credential.getClientExtensionResults(),
});

// What the browser itself says is in its own language and for developers; the page has sentences of ours.
function sentence(button, error) {
  if (error.name === "NotAllowedError" || error.name === "AbortError") return button.dataset.cancelled;
  if (error.name === "InvalidStateError") return button.dataset.already || button.dataset.failed;
  return error.name === "Error" && error.message ? error.message : button.dataset.failed;
}

async function run(button) {
  const status = button.closest("[data-passkey-place]").querySelector("[data-passkey-status]");
  button.disabled = true;
  status.textContent = "";
  try {
    const answer = await (button.dataset.passkey === "register" ? register(button) : use(button));
    if (answer.leads_to) window.location.assign(answer.leads_to);
    else document.getElementById(button.dataset.submits).submit();
  } catch (error) {
    status.textContent = sentence(button, error);
    button.disabled = false;
  }
}

if (window.PublicKeyCredential && navigator.credentials) {
  for (const button of document.querySelectorAll("button[data-passkey]")) {
    button.closest("[data-passkey-place]").hidden = false;
    button.addEventListener("click", () => run(button));
  }
}
