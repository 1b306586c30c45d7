defmodule BistroWeb.ChatTokenController do
  @moduledoc """
  Gives the page a token of whoever is signed in.

      # router.ex, in a scope that the pages' session goes through
      get "/chat-token", ChatTokenController, :show
  """

  use BistroWeb, :controller

  def show(%{assigns: %{current_user: %{id: id}}} = conn, _params) do
    conn
    |> put_resp_header("cache-control", "no-store")
    |> json(%{token: Bistro.ChatToken.sign(id)})
  end

  def show(conn, _params), do: send_resp(conn, :no_content, "")
end
