using System.Net;
using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.Agent.Images.Registry;

/// <summary>A registry's refusal. Code is the distribution specification's (MANIFEST_UNKNOWN, DENIED, …), empty when the answer names none.</summary>
internal sealed class RegistryException(HttpStatusCode status, string code, string message, bool hadCredentials) : Exception(message)
{
    public HttpStatusCode Status { get; } = status;

    public string Code { get; } = code;

    public bool HadCredentials { get; } = hadCredentials;

    /// <summary>Whether asking again later may help.</summary>
    public bool Transient => (int)Status >= 500 || Status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout;

    /// <summary>The same refusal as Docker words it for the image that was asked for.</summary>
    public ClusterException For(ImageReference reference)
    {
        var words = Code.Length == 0 ? Message : $"{Code.Replace('_', ' ').ToLowerInvariant()}: {Message}";
        return Code switch
        {
            "MANIFEST_UNKNOWN" => new(ErrorKind.NotFound, $"manifest for {reference.Familiar} not found: {words}", this),
            "NAME_UNKNOWN" => new(ErrorKind.NotFound, $"repository {reference.FamiliarName} not found: {words}", this),
            "DENIED" => Denied(reference, words),
            "NO_BASIC_CREDENTIALS" => new(ErrorKind.Unauthorized, Message, this),
            "UNAUTHORIZED" or "" when Status == HttpStatusCode.Unauthorized => HadCredentials
                ? new(ErrorKind.Unauthorized, words.Length == 0 ? "unauthorized: authentication required" : words, this)
                : Denied(reference, "denied: requested access to the resource is denied"),
            "" when Status == HttpStatusCode.Forbidden => Denied(reference, "denied: requested access to the resource is denied"),
            "" when Status == HttpStatusCode.NotFound => new(
                ErrorKind.NotFound, $"manifest for {reference.Familiar} not found: manifest unknown: {Message}", this),
            _ => new(Transient ? ErrorKind.Unavailable : ErrorKind.Internal, words, this),
        };
    }

    private ClusterException Denied(ImageReference reference, string words) => new(
        ErrorKind.NotFound,
        $"pull access denied for {reference.FamiliarName}, repository does not exist or may require 'docker login': {words}",
        this);
}
