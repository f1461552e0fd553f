// Signing in with a personal token.

export function postLogin(say) {
  const form = document.getElementById("login");
  const problem = document.getElementById("problem");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const response = await fetch("/console/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: form.token.value }),
    }).catch(() => null);
    button.disabled = false;
    if (response?.ok) return location.assign("/");
    problem.hidden = false;
    problem.textContent = say({ 401: "wrong_token", 429: "too_many_tries" }[response?.status] ?? "refused");
    form.token.select();
  });
}
