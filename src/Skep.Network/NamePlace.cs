using System.Net;

namespace Skep.Network;

/// <summary>Where a container's name server is asked, and where it listens.</summary>
internal static class NamePlace
{
    /// <summary>Behind 127.0.0.11:53. Outside the kernel's default range of ephemeral ports (32768–60999).</summary>
    public const int Port = 61053;

    public static readonly IPAddress Address = IPAddress.Parse("127.0.0.11");
}
