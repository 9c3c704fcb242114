using System.Globalization;
using System.Text;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>Takes a request's connection over for bytes in both directions (attach, exec).</summary>
public static class Hijack
{
    /// <summary>
    /// Answers <c>101 UPGRADED</c> (or 200 to a client that did not ask to upgrade) and runs <paramref name="session"/> on the bare
    /// connection. Reading ends with 0 when the client closes its side; writing goes on. The connection is closed when the
    /// session returns. Read the request's body before. Refuse before, too: afterwards no status can be sent.
    /// </summary>
    public static async Task HijackAsync(this HttpContext context, string contentType, Func<Stream, CancellationToken, Task> session)
    {
        var connection = context.Features.Get<HijackableConnection>()
            ?? throw new ClusterException(ErrorKind.Internal, "This connection cannot be taken over.");
        var upgraded = context.Request.Headers.Upgrade.Count > 0;
        var head = Head(context, contentType, upgraded);
        try
        {
            await using var stream = connection.Take();
            using var gone = new CancellationTokenSource();
            stream.OnWriteFailed(gone);
            try
            {
                await stream.WriteAsync(head, gone.Token);
                await session(stream, gone.Token);
            }
            catch (Exception ended) when (gone.IsCancellationRequested && ended is OperationCanceledException or IOException)
            {
                // The client left; there is nobody to tell.
            }
        }
        finally
        {
            await connection.EndAsync();
        }

        // Kestrel must not write an answer of its own behind these bytes.
        context.Abort();
    }

    private static byte[] Head(HttpContext context, string contentType, bool upgraded)
    {
        var text = new StringBuilder(upgraded ? "HTTP/1.1 101 UPGRADED\r\n" : "HTTP/1.1 200 OK\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Content-Type: {contentType}\r\n");
        if (upgraded)
        {
            text.Append("Connection: Upgrade\r\nUpgrade: tcp\r\n");
        }

        foreach (var name in new[] { "Api-Version", "Docker-Experimental", "Ostype", "Server" })
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}: {context.Response.Headers[name]}\r\n");
        }

        return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
    }
}
