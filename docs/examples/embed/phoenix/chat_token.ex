defmodule Bistro.ChatToken do
  @moduledoc """
  Signs what the chat server takes as proof of who a customer is (`{:jose, "~> 1.11"}`).

      # config/runtime.exs; the chat server has the same as JWT_SECRET
      config :bistro, :chat_secret, System.fetch_env!("CHAT_JWT_SECRET")
  """

  @business "b1"
  @valid_s 600

  def sign(user_id, now \\ System.system_time(:second)) do
    key = :bistro |> Application.fetch_env!(:chat_secret) |> JOSE.JWK.from_oct()

    claims = %{
      "sub" => to_string(user_id),
      "biz" => @business,
      "iat" => now,
      "exp" => now + @valid_s
    }

    {_header, token} = key |> JOSE.JWT.sign(%{"alg" => "HS256"}, claims) |> JOSE.JWS.compact()
    token
  end
end
