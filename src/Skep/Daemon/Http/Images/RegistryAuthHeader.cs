using System.Buffers.Text;
using System.Text.Json;
using Skep.Agent.Images;
using Skep.EngineApi.Images;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Images;

/// <summary>Reads X-Registry-Auth: base64url of a JSON object, which the CLI also sends when it has nothing to say (<c>{}</c>).</summary>
public static class RegistryAuthHeader
{
    public const string Name = "X-Registry-Auth";

    /// <summary>Null when there is no header, or nothing in it.</summary>
    public static RegistryCredentials? Read(HttpContext context) => Parse(context.Request.Headers[Name].ToString());

    /// <summary>The same from the text that a service's specification or an assignment carries.</summary>
    public static RegistryCredentials? Parse(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }
        try
        {
            // Some clients use the other alphabet, some leave the padding away.
            var bytes = Base64Url.DecodeFromChars(text.Replace('+', '-').Replace('/', '_').TrimEnd('='));
            var auth = JsonSerializer.Deserialize(bytes, ImagesJson.Default.RegistryAuth);
            return auth is null || (auth.Username is null or "" && auth.IdentityToken is null or "" && auth.RegistryToken is null or "")
                ? null
                : new RegistryCredentials(auth.Username, auth.Password, auth.IdentityToken, auth.RegistryToken, auth.ServerAddress);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw ClusterException.Invalid("invalid X-Registry-Auth header: it is not the base64 of a JSON object");
        }
    }
}
