using System.Net.Sockets;

namespace Skep.KernelTests.Network;

/// <summary>Nobody is there: neither an answer nor a refusal comes.</summary>
internal static class Silence
{
    /// <summary>The asker gives up, or its kernel does, which finds no neighbour of that address after three seconds.</summary>
    public static async Task OfAsync(Func<Task> asking)
    {
        var end = await Assert.ThrowsAnyAsync<Exception>(asking);
        Assert.True(end is OperationCanceledException or SocketException { SocketErrorCode: SocketError.HostUnreachable }, end.ToString());
    }
}
