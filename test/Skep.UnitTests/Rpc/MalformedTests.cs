using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Skep.Rpc;
using Skep.Testing.Rpc;
using static Skep.UnitTests.Rpc.RpcMethods;

namespace Skep.UnitTests.Rpc;

public sealed class MalformedTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, byte[], RpcStatusCode> Bodies => new()
    {
        { "nothing", [], RpcStatusCode.Internal },
        { "half a header", [0, 0, 0], RpcStatusCode.Internal },
        { "half a message", [0, 0, 0, 0, 9, 10, 1], RpcStatusCode.Internal },
        { "compressed", [1, 0, 0, 0, 0], RpcStatusCode.Unimplemented },
        { "unknown flag", [7, 0, 0, 0, 0], RpcStatusCode.Internal },
        { "four gigabytes", [0, 255, 255, 255, 255], RpcStatusCode.ResourceExhausted },
        { "no protobuf", [0, 0, 0, 0, 2, 10, 200], RpcStatusCode.Internal },
        { "two messages", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], RpcStatusCode.Internal },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task The_client_refuses_an_answer_of(string what, byte[] body, RpcStatusCode code)
    {
        await using var server = await RpcTestServer.StartAsync(e => ((WebApplication)e).MapPost(Echo.Path, async http =>
        {
            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(body);
            http.Response.AppendTrailer("grpc-status", "0");
        }));

        var refusal = await Assert.ThrowsAsync<RpcException>(() => server.Channel.UnaryAsync(Echo, Word(""), Stop));

        Assert.True(code == refusal.Code, $"{what}: {refusal.Code} {refusal.Message}");
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task The_server_refuses_a_request_of(string what, byte[] body, RpcStatusCode code)
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, (m, _) => Task.FromResult(m)));

        using var answer = await PostAsync(server, body, "application/grpc");

        Assert.True(((int)code).ToString() == answer.Headers.GetValues("grpc-status").Single(), what);
    }

    [Fact]
    public async Task The_server_refuses_what_is_no_grpc()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, (m, _) => Task.FromResult(m)));

        using var answer = await PostAsync(server, [], "application/json");

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Theory]
    [InlineData(503, "application/grpc", RpcStatusCode.Unavailable)]
    [InlineData(401, "text/html", RpcStatusCode.Unauthenticated)]
    [InlineData(200, "text/html", RpcStatusCode.Unknown)]
    [InlineData(200, "application/grpc", RpcStatusCode.Internal)]
    public async Task The_client_names_what_an_answer_without_status_means(int http, string type, RpcStatusCode code)
    {
        await using var server = await RpcTestServer.StartAsync(e => ((WebApplication)e).MapPost(Echo.Path, async context =>
        {
            context.Response.StatusCode = http;
            context.Response.ContentType = type;
            await context.Response.Body.WriteAsync(new byte[5]);
        }));

        var refusal = await Assert.ThrowsAsync<RpcException>(() => server.Channel.UnaryAsync(Echo, Word(""), Stop));

        Assert.Equal(code, refusal.Code);
    }

    [Fact]
    public async Task A_server_that_drops_the_stream_is_no_clean_end()
    {
        await using var server = await RpcTestServer.StartAsync(e => ((WebApplication)e).MapPost(Count.Path, async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5]);
            await context.Response.Body.FlushAsync();
            context.Abort();
        }));

        await Assert.ThrowsAsync<RpcException>(async () => await server.Channel.ServerStreamAsync(Count, Number(1), Stop).ToListAsync(Stop));
    }

    private static async Task<HttpResponseMessage> PostAsync(RpcTestServer server, byte[] body, string type)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(server.SocketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost" + Echo.Path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return await client.SendAsync(request, Stop);
    }
}
