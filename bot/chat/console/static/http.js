// Requests to our own server. Every act carries a key made here, so that sending it twice counts once.

export class Refusal extends Error {
  constructor(status) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** A random key, also on pages without TLS, where crypto.randomUUID does not exist. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function getJson(url, signal) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, signal });
  return read(response);
}

export async function postJson(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return read(response);
}

/** Post until there is an answer: a lost connection may have lost the answer only, and the key makes a repeat harmless. */
export async function postSurely(url, body, onTrouble) {
  for (let pause = 500; ; pause = Math.min(pause * 2, 8000)) {
    try {
      return await postJson(url, body);
    } catch (error) {
      if (error instanceof Refusal && error.status < 500) throw error;
      onTrouble();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

async function read(response) {
  if (response.status === 401) location.assign("/console/login");
  if (!response.ok) throw new Refusal(response.status);
  return response.status === 204 ? null : response.json();
}
