defmodule BistroWeb.ChatPolicy do
  @moduledoc """
  Sets the content security policy of the pages: their own files, and the chat.

      # router.ex, in place of `plug :put_secure_browser_headers`
      plug :put_secure_browser_headers
      plug BistroWeb.ChatPolicy
  """

  @behaviour Plug

  @chat "https://chat.example"
  @chat_socket "wss://chat.example"

  @policy Enum.join(
            [
              "default-src 'self'",
              "script-src 'self' #{@chat}",
              "connect-src 'self' #{@chat} #{@chat_socket}",
              "img-src 'self' data: #{@chat}",
              "base-uri 'self'",
              "form-action 'self'",
              "frame-ancestors 'self'"
            ],
            "; "
          )

  @impl true
  def init(options), do: options

  @impl true
  def call(conn, _options), do: Plug.Conn.put_resp_header(conn, "content-security-policy", @policy)
end
