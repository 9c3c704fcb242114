using Skep.Agent.Images.Manifests;

namespace Skep.Daemon.Http.Images;

internal static class ImagePlatforms
{
    /// <summary>Whether <c>os/architecture[/variant]</c>, as a client writes it, is what this machine runs.</summary>
    public static bool IsThisMachine(string platform)
    {
        // Clients say it as JSON in newer versions of the API, as text in older ones.
        var parts = platform.Split('/');
        return !platform.StartsWith('{') && parts.Length is 2 or 3
            && PlatformChoice.Runs(new ImagePlatform(parts[1], parts[0], parts.Length == 3 ? parts[2] : null), PlatformChoice.Host);
    }
}
