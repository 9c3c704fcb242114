using System.Security.Cryptography;
using System.Text;

namespace Skep.Model.Identity;

/// <summary>
/// The container of a task has an id that follows from the task's (64 hexadecimal digits), so every node knows it before the
/// container exists, and a daemon that died between two steps finds what it began.
/// </summary>
public static class ContainerId
{
    public static string Of(string taskId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes("task/" + taskId)));

    /// <summary>The twelve digits that people type, and a container's default host name.</summary>
    public static string Short(string containerId) => containerId.Length > 12 ? containerId[..12] : containerId;
}
